package gate

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/card"
	"github.com/idleseat/idleseat/shared/entrance"
)

// The function "deployed" returns the Place of a run in a deployment. The parameter "name" is the name of the stack,
// and "place" is s3://bucket/prefix. The parameter "one" reports whether the request is about one person.
func deployed(name, place, execution string, one bool) *Place {
	region := ""
	if arn := strings.Split(execution, ":"); len(arn) > 3 {
		region = arn[3]
	}
	return &Place{
		Name: name, Execution: execution, Store: place, Hints: hints{name, place, execution, one},
		Link: func(key string) string { return Console(place, region, key) },
	}
}

// The type "hints" implements Hints with commands for a deployment.
type hints struct {
	name, place, execution string
	one                    bool
}

var isHash = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (h hints) ask(words ...string) string {
	return "idleseat " + strings.Join(words, " ") + " --aws " + h.name
}

func (h hints) Plan() string { return h.ask("plan") }

func (h hints) Show(run string) string {
	return "idleseat show " + run + " --store " + strings.TrimSuffix(h.place, "/")
}

func (h hints) Doctor() string { return h.ask("doctor") }

func (h hints) Asked() []card.Step {
	return []card.Step{{To: "To see what was asked", Command: "aws stepfunctions describe-execution --query input --output text --execution-arn " + h.execution}}
}

func (h hints) Again(o *StepOutput) (text string, steps []card.Step) {
	steps = []card.Step{{To: "To see its last steps, the newest first", Command: "aws stepfunctions get-execution-history --reverse-order --max-items 60 --output text " +
		"--query 'events[].stateEnteredEventDetails.name' --execution-arn " + h.execution}}
	hash := isHash.FindString(o.PlanHash) // an operator typed the hash, and may have typed any text
	known := o.Run != "" && hash != ""
	text = "Start it again; the new run continues what this one began."
	switch {
	case h.at(entrance.Nightly):
		return "The next night continues what this one began. To continue now, plan again and approve that plan.", append(steps, card.Step{To: "To plan again", Command: h.Plan()})
	case h.at(entrance.Plan):
		if text = "Start it again. A plan changes nothing."; !h.one {
			return text, append(steps, card.Step{To: "To start it again", Command: h.Plan()})
		}
	case known && h.at(entrance.Approve, entrance.Override):
		return text, append(steps, card.Step{To: "To start it again", Command: h.Apply(o.Run, hash, h.at(entrance.Override))})
	}
	return text, append(steps, h.Asked()...)
}

// The method "at" reports whether the execution belongs to one of the given entrances, which are state machines.
func (h hints) at(names ...entrance.Name) bool {
	return slices.ContainsFunc(names, func(n entrance.Name) bool { return strings.Contains(h.execution, ":execution:"+n.Machine(h.name)+":") })
}

func (h hints) Look(_, key string) string {
	return "aws s3 cp " + strings.TrimSuffix(h.place, "/") + "/" + key + " -"
}

func (h hints) Apply(run, planHash string, override bool) string {
	if override {
		return h.ask("approve", run, planHash, "--override-limits")
	}
	return h.ask("approve", run, planHash)
}

func (h hints) Restore(run, user string) string {
	if user != "" {
		return h.ask("restore", "--run", run, user)
	}
	return h.ask("restore", "--run", run)
}

// Console returns the page of the AWS console that shows an object, or "" if place is not s3://bucket/prefix. If region
// is empty, the console itself finds the region of the bucket.
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
	switch { // other partitions of AWS have other consoles (AWS documentation, "Amazon Web Services in China", "AWS GovCloud (US)")
	case strings.HasPrefix(region, "cn-"):
		host = "console.amazonaws.cn"
	case strings.HasPrefix(region, "us-gov-"):
		host = "console.amazonaws-us-gov.com"
	}
	return "https://" + host + "/s3/object/" + url.PathEscape(bucket) + "?" + query.Encode()
}
