// Package secret reads secrets from AWS Secrets Manager.
package secret

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Read returns the current value of a secret. The argument "name" is the name or the ARN of the secret.
func Read(ctx context.Context, name string) ([]byte, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	out, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	if err != nil {
		return nil, err
	}
	if text := aws.ToString(out.SecretString); text != "" {
		return []byte(text), nil
	}
	return out.SecretBinary, nil
}
