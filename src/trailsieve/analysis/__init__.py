"""What rules would have done: parity with CloudWatch, tuning, the tests of alerts."""
