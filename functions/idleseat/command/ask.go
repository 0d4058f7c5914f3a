package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/term"

	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/workflow/draft"
)

// atTerminal reports whether stdin is a terminal. Only then can an operator answer questions.
func (a *Process) atTerminal() bool {
	f, ok := a.Stdin.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// The method "ask" asks one question at the terminal. The answer is empty if the terminal is closed. An interrupt ends
// the question at once.
func (a *Process) ask(question string) (string, error) {
	a.live.End()
	lines := strings.Split(question, "\n")
	for _, line := range lines[:len(lines)-1] {
		fmt.Fprintf(a.Stderr, "%s\n", oneLine(line))
	}
	fmt.Fprintf(a.Stderr, "%s ", oneLine(lines[len(lines)-1]))
	type answer struct {
		text string
		err  error
	}
	given := make(chan answer, 1)
	go func() { // after an interrupt, the goroutine continues to wait for input until the process ends
		text, err := bufio.NewReader(a.Stdin).ReadString('\n')
		given <- answer{strings.TrimSpace(text), err}
	}()
	select {
	case <-a.Context.Done():
		fmt.Fprintln(a.Stderr)
		return "", fmt.Errorf("interrupted at a question: %w", context.Cause(a.Context))
	case got := <-given:
		if got.err != nil && !errors.Is(got.err, io.EOF) {
			return "", fmt.Errorf("read the answer: %w", got.err)
		}
		return got.text, nil
	}
}

// The function "interview" asks for the values that neither the flags nor the tenant give. An empty answer leaves the
// value out of the policy.
func interview(seen *draft.Seen, w *draft.Wishes, ask func(question string) (string, error)) error {
	if w.Citrix == "" && len(seen.AD.Citrix) > 1 {
		if err := askCitrix(seen, w, ask); err != nil {
			return err
		}
	}
	if w.Model == "" && slices.Contains(draft.Licenses(seen, *w), "citrix") {
		if err := askModel(w, ask); err != nil {
			return err
		}
	}
	if len(w.Prices) == 0 {
		if err := askPrices(draft.Licenses(seen, *w), w, ask); err != nil {
			return err
		}
	}
	if len(w.Prices) > 0 && w.Currency == "" {
		if err := askCurrency(w, ask); err != nil {
			return err
		}
	}
	if len(w.Exempt) == 0 && len(seen.People.Emergency) == 0 {
		answer, err := ask("Accounts that are kept for an emergency, separated by commas (empty: none):")
		if err != nil {
			return err
		}
		for name := range strings.SplitSeq(answer, ",") {
			if name = strings.TrimSpace(name); name != "" {
				w.Exempt = append(w.Exempt, name)
			}
		}
	}
	return nil
}

func askCitrix(seen *draft.Seen, w *draft.Wishes, ask func(string) (string, error)) error {
	question := "Which group gives Citrix?\n"
	for i, dn := range seen.AD.Citrix {
		question += fmt.Sprintf("  %d  %s\n", i+1, oneLine(dn))
	}
	for {
		answer, err := ask(fmt.Sprintf("%sA number from 1 to %d (empty: none):", question, len(seen.AD.Citrix)))
		if err != nil || answer == "" {
			return err
		}
		if n, err := strconv.Atoi(answer); err == nil && n >= 1 && n <= len(seen.AD.Citrix) {
			w.Citrix = seen.AD.Citrix[n-1]
			return nil
		}
	}
}

func askModel(w *draft.Wishes, ask func(string) (string, error)) error {
	for {
		answer, err := ask("How are seats of Citrix counted? user, device or concurrent (empty: not known, then nothing counts as saved)")
		if err != nil || answer == "" {
			return err
		}
		for _, model := range []policy.Model{policy.PerUser, policy.PerDevice, policy.Concurrent} {
			if strings.EqualFold(answer, string(model)) {
				w.Model = string(model)
				return nil
			}
		}
	}
}

func askPrices(licenses []string, w *draft.Wishes, ask func(string) (string, error)) error {
	w.Prices = map[string]float64{}
	for _, name := range licenses {
		for {
			answer, err := ask("What does a seat of " + name + " cost in a month? (a number; empty: leave it out)")
			if err != nil {
				return err
			}
			if answer == "" {
				break
			}
			if price, err := strconv.ParseFloat(strings.ReplaceAll(answer, ",", "."), 64); err == nil && price >= 0 && price < 1e6 {
				w.Prices[name] = price
				break
			}
		}
	}
	return nil
}

func askCurrency(w *draft.Wishes, ask func(string) (string, error)) error {
	for {
		answer, err := ask("Currency of the prices, three letters like EUR (empty: USD):")
		if err != nil || answer == "" {
			return err
		}
		if answer = strings.ToUpper(answer); currencies.MatchString(answer) {
			w.Currency = answer
			return nil
		}
	}
}

var currencies = regexp.MustCompile(`^[A-Z]{3}$`)
