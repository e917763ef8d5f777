"""A made-up service centre to try the product with. Real installations never run this."""
