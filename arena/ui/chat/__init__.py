"""The parts of the chat page: answers as they are heard, what they cite, and desks side by side."""
