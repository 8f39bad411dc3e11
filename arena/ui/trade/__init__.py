"""Trading by hand on a page: the ticket with its preview, and the desk's positions, open orders and tickets."""
