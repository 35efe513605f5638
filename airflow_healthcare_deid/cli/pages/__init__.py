"""HTML pages that need nothing but themselves: no script, style, image or font is loaded from anywhere."""
