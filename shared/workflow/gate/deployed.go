package gate

import (
	"net/url"
	"strings"
)

// deployed returns the place of a run in a deployment. place is the store, and execution is an ARN.
func deployed(name, place, execution string) *Place {
	region := ""
	if arn := strings.Split(execution, ":"); len(arn) > 3 {
		region = arn[3]
	}
	return &Place{
		Name: name, Execution: execution, Store: place, Hints: hints{name, place},
		Link: func(key string) string { return Console(place, region, key) },
	}
}

// hints are commands for a deployment.
type hints struct{ name, place string }

func (h hints) ask(words ...string) string {
	return "idleseat " + strings.Join(words, " ") + " --aws " + h.name
}

// Plan implements Hints.
func (h hints) Plan() string { return h.ask("plan") }

// Run implements Hints.
func (h hints) Run() string { return h.Plan() }

// Look implements Hints.
func (h hints) Look(_, key string) string {
	return "aws s3 cp " + strings.TrimSuffix(h.place, "/") + "/" + key + " -"
}

// Apply implements Hints.
func (h hints) Apply(run, planHash string, override bool) string {
	if override {
		return h.ask("approve", run, planHash, "--override-limits")
	}
	return h.ask("approve", run, planHash)
}

// Restore implements Hints.
func (h hints) Restore(run string) string { return h.ask("restore", "--run", run) }

// Console returns the page of the AWS console that shows an object, or "" if place is not s3://bucket/prefix. The reader
// must be signed in to AWS and may read the object. region may be empty: the console finds the bucket then.
func Console(place, region, key string) string {
	bucket, isBucket := strings.CutPrefix(place, "s3://")
	if !isBucket {
		return ""
	}
	bucket, prefix, _ := strings.Cut(bucket, "/")
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		key = prefix + "/" + key
	}
	host, query := "console.aws.amazon.com", url.Values{"prefix": {key}}
	if region != "" {
		host, query["region"] = region+"."+host, []string{region}
	}
	switch { // the other partitions have consoles of their own (AWS documentation, "Amazon Web Services in China", "AWS GovCloud (US)")
	case strings.HasPrefix(region, "cn-"):
		host = "console.amazonaws.cn"
	case strings.HasPrefix(region, "us-gov-"):
		host = "console.amazonaws-us-gov.com"
	}
	return "https://" + host + "/s3/object/" + url.PathEscape(bucket) + "?" + query.Encode()
}
