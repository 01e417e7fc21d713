"""Knowledge answers: curated entries, spoken word for word when a question surely means them."""
