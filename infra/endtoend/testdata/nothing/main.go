// Command nothing is a Lambda function that does nothing. Other functions are compared with it.
package main

import "github.com/aws/aws-lambda-go/lambda"

func main() { lambda.Start(func() {}) }
