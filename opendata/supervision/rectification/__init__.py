"""Rectification orders (督促整改): what a body has to put right, by when, with which evidence; found by checks or by people."""
