// Command nothing is a Lambda function that does nothing, with which BenchmarkColdStart compares the others.
package main

import "github.com/aws/aws-lambda-go/lambda"

func main() { lambda.Start(func() {}) }
