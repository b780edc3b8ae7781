"""APIs of other servers, for clients that were made for those."""
