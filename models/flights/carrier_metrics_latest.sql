{{ latest('carrier_metrics') }}
