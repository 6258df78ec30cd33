{{ latest('company_metrics') }}
