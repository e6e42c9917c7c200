"""What an audit looks like: on a terminal, as figures, as one HTML file. Reads the plain dict of ``Audit.to_dict()``."""
