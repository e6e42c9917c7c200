"""What an audit looks like on a terminal, as figures, and as one HTML file; read from ``Audit.to_dict()``."""
