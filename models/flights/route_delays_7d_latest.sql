{{ latest('route_delays_7d') }}
