"""What makes the site of the documentation: pages out of the product, pictures, and a look at what came out.

Only `extension` needs Sphinx.
"""
