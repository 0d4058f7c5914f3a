// Command court judges the events of a simulated company again, without any package of the product. It reads the events
// from standard input, as command nights writes them with -story, and prints the faults that the judge finds. The exit
// status is 1 if there is a fault other than a missed case, and 2 if the events cannot be read.
package main

import (
	"bufio"
	"fmt"
	"os"

	"github.com/idleseat/idleseat/infra/nights/judge"
)

func main() {
	j := judge.New()
	if err := j.Read(bufio.NewReader(os.Stdin)); err != nil {
		fmt.Fprintln(os.Stderr, "court:", err)
		os.Exit(2)
	}
	guilty := 0
	for _, f := range j.Faults() {
		fmt.Println(f)
		if f.Why != judge.Missed {
			guilty++
		}
	}
	fmt.Printf("%d faults beside %d missed of %d clear cases\n", guilty, len(j.Faults())-guilty, j.Clear())
	if guilty > 0 {
		os.Exit(1)
	}
}
