"""Charts as figure JSON in the light theme, and the component that draws them without losing a viewer's zoom."""
