// Command nothing is a Lambda function that does nothing. BenchmarkColdStart compares the other functions with it.
package main

import "github.com/aws/aws-lambda-go/lambda"

func main() { lambda.Start(func() {}) }
