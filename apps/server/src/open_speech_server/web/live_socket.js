// A WebSocket to the server that this page came from.
import {json, key, ROOT} from "./api.js";

/** Opens it; a page that has the key gets a short-lived one for it, since sockets have no headers. */
export async function openSocket(path) {
  const protocols = ["realtime"];
  if (key.get()) {
    const headers = {"Content-Type": "application/json"};
    const {value} = await json("v1/realtime/client_secrets", {method: "POST", headers, body: "{}"});
    protocols.push(`openai-insecure-api-key.${value}`);
  }
  const address = new URL(path, ROOT);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address, protocols);
  socket.binaryType = "arraybuffer";
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("the socket was refused"));
  });
  socket.onerror = null;
  return socket;
}
