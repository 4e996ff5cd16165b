"""Pure rules of the server alone: values in, values out; no Flask, SQL, clock or random."""
