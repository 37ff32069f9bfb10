"""What we ask of the outside (`*/port.py`) and who answers (the modules beside it). Only `wiring` names an adapter."""
