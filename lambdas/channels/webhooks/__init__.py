"""Takes in what other systems push, signed: partner sites, chat tools, social listening, anything with a webhook."""
