"""The demo season in a browser: ``demo`` is what Gradio's reload and Hugging Face Spaces look for.

``python app.py`` serves it on loopback with the API beside it.
"""

from arena.commands.serve import demo_services, serve

if __name__ == "__main__":
    serve(None, sets=(), host=None, port=None, home=None, data_root=None)
else:
    from arena.ui.site import build_site

    demo = build_site(demo_services(), by_timer=True).blocks
