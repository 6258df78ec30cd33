{{ latest('flights_flat') }}
