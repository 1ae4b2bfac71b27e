"""The built-in manifest templates: data, found through importlib.resources."""
