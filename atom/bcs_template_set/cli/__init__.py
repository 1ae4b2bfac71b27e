"""argv to the step or to a verb at a desk; the only `sys.exit`."""
