"""The images: MNIST and datasets of its shape, verified, and split into a public and a private half.

Called by every folder that needs images, with the path of a file of images or the name of a dataset.
Returns NumPy arrays; raises DatasetError for any file that is not what was published.
May import `sandbox.offline`, `errors`, `layout` and `atomic`.
"""
