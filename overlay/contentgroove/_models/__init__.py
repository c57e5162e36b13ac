"""What all models share: views of decoded structs, JSON, pages, and responses that match the contract only in parts."""
