"""The pages in the browser: Gradio lives here and nowhere else. No web routes (``arena.api``), no trading.

Importing this package keeps Gradio off the network, so it must come before Gradio itself.
"""

import os

os.environ.update(
    GRADIO_ANALYTICS_ENABLED="False", GRADIO_SSR_MODE="False", HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1"
)
