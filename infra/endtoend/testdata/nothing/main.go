// Command nothing is a Lambda function that does nothing, to compare others with.
package main

import "github.com/aws/aws-lambda-go/lambda"

func main() { lambda.Start(func() {}) }
