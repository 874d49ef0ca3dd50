module github.com/on-demand-broker/odb/cmd/odb/testdata/sdk-adapter

go 1.26.0

require github.com/pivotal-cf/on-demand-services-sdk v0.50.2

require (
	code.cloudfoundry.org/brokerapi/v13 v13.0.24 // indirect
	github.com/gabriel-vasile/mimetype v1.4.13 // indirect
	github.com/go-playground/locales v0.14.1 // indirect
	github.com/go-playground/universal-translator v0.18.1 // indirect
	github.com/go-playground/validator/v10 v10.30.2 // indirect
	github.com/leodido/go-urn v1.4.0 // indirect
	github.com/pkg/errors v0.9.1 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	gopkg.in/yaml.v2 v2.4.0 // indirect
)
