// Command court reads the story of a world, which the nights write with -story, from its standard input. It prints
// every fault that the judge finds in the story. It imports nothing of the product. It exits with 1 if there is a
// fault other than a missed one.
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
