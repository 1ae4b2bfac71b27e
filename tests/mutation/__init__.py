"""`make torture-mutation`: changes the code of the step, one thing at a time: does a test notice?"""
