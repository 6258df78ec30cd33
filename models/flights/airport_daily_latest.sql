{{ latest('airport_daily') }}
