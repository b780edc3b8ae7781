"""The models: listed, loaded, unloaded, watched."""
