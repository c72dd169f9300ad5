"""What rules would have done: parity with CloudWatch, tuning, and the tests that rules carry."""
