"""The tools of `contentgroove.tools`, served over the Model Context Protocol (extra `mcp`)."""
