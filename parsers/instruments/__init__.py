"""The instruments' facts, one YAML file each; `parsers.instruments.schema` says what a file may hold."""
