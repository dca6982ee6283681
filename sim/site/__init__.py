"""The site: services on exact stations, the pages that call them, the client and planned changes of capacity."""
