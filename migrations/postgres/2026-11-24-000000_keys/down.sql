DROP TABLE api_key_networks;
DROP TABLE api_keys;
