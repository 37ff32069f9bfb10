"""The public portal and the agencies' console: HTML pages in Chinese and English, whole without JavaScript."""
