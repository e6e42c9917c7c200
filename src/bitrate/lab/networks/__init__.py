"""Networks with real gradients: small transformers, what their gradients say, and a pretrained model's weights.

PyTorch is imported inside the functions: it comes with the extra ``bitrate[train]``.
"""
