{{ latest('$model') }}
