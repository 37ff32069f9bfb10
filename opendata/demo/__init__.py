"""The sample catalogue, and trying the portal with a file of one's own: both through the same doors as everyone."""
