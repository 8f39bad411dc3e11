"""Risk as pages: drawings and panels made from the documents of ``arena.risk``, and a page that stands by itself."""
