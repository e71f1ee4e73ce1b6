// Judges the histories in a file with Porcupine, and prints a verdict for each (1 if it is
// linearizable) and the milliseconds that this took, without reading the file.
package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

type input struct {
	what, a, b int
}

type output struct {
	known  bool
	answer string
}

// A set of numbers below 64, as bits.
func members(set uint64) string {
	var parts []string
	for i := 0; i < 64; i++ {
		if set>>i&1 == 1 {
			parts = append(parts, strconv.Itoa(i))
		}
	}
	return strings.Join(parts, ".")
}

func yes(is bool) string {
	if is {
		return "1"
	}
	return "0"
}

// step is the next state and the answer; strings and numbers are compared with ==.
func model(init interface{}, hash func(interface{}) uint64, step func(interface{}, input) (interface{}, string)) porcupine.Model {
	return porcupine.Model{
		Init: func() interface{} { return init },
		Hash: hash,
		Step: func(state, in, out interface{}) (bool, interface{}) {
			next, answer := step(state, in.(input))
			o := out.(output)
			return !o.known || o.answer == answer, next
		},
	}
}

func ofInt(state interface{}) uint64 { return uint64(state.(int)+2) * 0x9e3779b97f4a7c15 }

func ofBits(state interface{}) uint64 { return state.(uint64) * 0x9e3779b97f4a7c15 }

func ofText(state interface{}) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range []byte(state.(string)) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

var models = map[string]porcupine.Model{
	"register": model(-1, ofInt, func(state interface{}, in input) (interface{}, string) {
		switch {
		case in.what == 0:
			return state, strconv.Itoa(state.(int))
		case in.what == 1:
			return in.a, ""
		case state.(int) == in.a:
			return in.b, "1"
		default:
			return state, "0"
		}
	}),
	"set": model(uint64(0), ofBits, func(state interface{}, in input) (interface{}, string) {
		switch in.what {
		case 0:
			return state.(uint64) | 1<<in.a, ""
		case 1:
			return state.(uint64) &^ (1 << in.a), ""
		default:
			return state, members(state.(uint64))
		}
	}),
	"queue": model("", ofText, func(state interface{}, in input) (interface{}, string) {
		queue := state.(string)
		if in.what == 0 {
			return queue + strconv.Itoa(in.a) + ",", ""
		}
		end := strings.IndexByte(queue, ',')
		if end < 0 {
			return queue, ""
		}
		return queue[end+1:], queue[:end]
	}),
	"lock": model(-1, ofInt, func(state interface{}, in input) (interface{}, string) {
		holder := state.(int)
		if in.what == 0 && holder == -1 {
			return in.a, "1"
		}
		if in.what == 1 && holder == in.a {
			return -1, "1"
		}
		return state, "0"
	}),
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<28)
	var verdicts strings.Builder
	var total time.Duration
	for lines.Scan() {
		parts := strings.Split(lines.Text(), ";")
		var history []porcupine.Operation
		for id, part := range parts[1:] {
			f := strings.Split(part, ",")
			end := int64(number(f[1]))
			known := end >= 0
			if !known {
				end = math.MaxInt64
			}
			history = append(history, porcupine.Operation{
				ClientId: id,
				Input:    input{number(f[2]), number(f[3]), number(f[4])},
				Call:     int64(number(f[0])),
				Output:   output{known, f[5]},
				Return:   end,
			})
		}
		start := time.Now()
		holds := porcupine.CheckOperations(models[parts[0]], history)
		total += time.Since(start)
		verdicts.WriteString(yes(holds))
	}
	fmt.Printf("%s %.1f\n", verdicts.String(), float64(total.Microseconds())/1e3)
}
