"""The demo season in a browser: ``demo`` is what Gradio's reload and Hugging Face Spaces look for.

``python app.py`` serves it on loopback with the API beside it.
"""

from arena.wiring import demo_floor

floor = demo_floor()

if __name__ == "__main__":
    import uvicorn

    from arena.api.app import create_app

    uvicorn.run(create_app(floor), host="127.0.0.1", port=7860, log_level="warning")
else:
    from arena.ui.site import build_site

    demo = build_site(floor)
