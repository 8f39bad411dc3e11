"""Where orders go: one folder a venue. A venue matches orders and keeps margin; it never decides what to trade."""
