"""LangChain's parser hears a recording: ``langchain_hears.py ADDRESS FILE MODEL``."""

from __future__ import annotations

import sys

from langchain_community.document_loaders.parsers.audio import OpenAIWhisperParser
from langchain_core.documents.base import Blob

address, path, model = sys.argv[1:]
parser = OpenAIWhisperParser(api_key="unused", base_url=f"{address}/v1", model=model)
sys.stdout.write(parser.parse(Blob.from_path(path))[0].page_content + "\n")
