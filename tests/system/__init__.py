"""The whole thing on the local cloud: real `sam build`, real `sam deploy`, real jobs, mails, pages and endpoints."""
